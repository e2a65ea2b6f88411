"""python -m services.firmware"""

from services.common.process.collector import collect_rarely

if __name__ == "__main__":
    collect_rarely()

    from services.common.wiring import main
    from services.firmware.app import NAME, build
    from services.firmware.settings import Settings

    main(NAME, Settings, build)
