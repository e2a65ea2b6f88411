"""python -m services.transactions"""

from services.common.process.collector import collect_rarely

if __name__ == "__main__":
    collect_rarely()

    from services.common.wiring import main
    from services.transactions.app import NAME, build
    from services.transactions.settings import Settings

    main(NAME, Settings, build)
