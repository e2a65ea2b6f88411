"""OCPP 1.5: as 1.6. A stop says no reason, a remote start has no charging profile."""

from services.transactions.dialects import v16

DIALECT = v16.DIALECT
