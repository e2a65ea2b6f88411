"""python -m services.smartcharging"""

from services.common.process.collector import collect_rarely

if __name__ == "__main__":
    collect_rarely()

    from services.common.wiring import main
    from services.smartcharging.app import NAME, build
    from services.smartcharging.settings import Settings

    main(NAME, Settings, build)
