"""One schema of Postgres: connections, migrations, the outbox."""
