"""What Alembic runs: on the connection that ``Store`` hands over, inside its transaction."""

from alembic import context

from listening_test.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
    render_as_batch=True,
)
context.run_migrations()
