"""What is around one request: who asks and may, how often, what is logged, audited and remembered of it.

Hooks, in the order in which :func:`api.app.create_app` puts them; views need :mod:`~api.around.auth`,
:mod:`~api.around.context` and :mod:`~api.around.naming` alone. Who may do what is one table,
:mod:`~api.around.access`.
"""
