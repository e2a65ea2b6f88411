"""GET /docs: the page that shows the OpenAPI document, with nothing from elsewhere: it works without internet."""

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

# Where Swagger UI is from: a package and its folder that has the files of Swagger UI's distribution.
SWAGGER_UI = ("fastapi_offline", "static")
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="docs/files/favicon.png">
<link rel="stylesheet" href="docs/files/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/files/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
# A file, because the policy allows no script in the page. validatorUrl: by default a badge from elsewhere.
START = """\
SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});
"""
# Swagger UI writes styles into the page, and its styles have their images in them.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def install(app: FastAPI, title: str, at: str = "") -> None:
    """Adds the page, whose addresses are relative to its own, and its files. at: below this path."""
    page = HTMLResponse(PAGE.format(title=title), headers={"Content-Security-Policy": POLICY})
    start = Response(START, media_type="text/javascript")

    async def docs() -> Response:
        return page

    async def begin() -> Response:
        return start

    app.add_api_route(f"{at}/docs", docs, include_in_schema=False)
    app.add_api_route(f"{at}/docs/start.js", begin, include_in_schema=False)
    app.mount(f"{at}/docs/files", StaticFiles(packages=[SWAGGER_UI]))
