"""python -m services.firmware"""

from services.common.wiring import main
from services.firmware.app import NAME, build
from services.firmware.settings import Settings

if __name__ == "__main__":
    main(NAME, Settings, build)
