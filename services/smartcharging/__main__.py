"""python -m services.smartcharging"""

from services.common.wiring import main
from services.smartcharging.app import NAME, build
from services.smartcharging.settings import Settings

if __name__ == "__main__":
    main(NAME, Settings, build)
