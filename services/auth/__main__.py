"""python -m services.auth"""

from services.common.process.collector import collect_rarely

if __name__ == "__main__":
    collect_rarely()

    from services.auth.app import NAME, build
    from services.auth.settings import Settings
    from services.common.wiring import main

    main(NAME, Settings, build)
