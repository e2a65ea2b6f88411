"""python -m services.transactions"""

from services.common.wiring import main
from services.transactions.app import NAME, build
from services.transactions.settings import Settings

if __name__ == "__main__":
    main(NAME, Settings, build)
