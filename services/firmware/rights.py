"""What the routes of firmware need of their callers."""

from services.common.web.roles import rights

READ, OPERATE, ADMINISTER = rights("firmware")
