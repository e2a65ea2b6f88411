"""python -m services.gateway"""

from services.common.process.collector import collect_rarely

if __name__ == "__main__":
    collect_rarely()

    from services.common.process.service import main
    from services.gateway.app import real
    from services.gateway.settings import Settings

    main(real, Settings)
