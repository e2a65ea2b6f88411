"""python -m services.auth"""

from services.auth.app import NAME, build
from services.auth.settings import Settings
from services.common.wiring import main

if __name__ == "__main__":
    main(NAME, Settings, build)
