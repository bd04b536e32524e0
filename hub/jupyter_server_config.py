"""For servers of a JupyterHub: one that is called "class" can be opened to students, and stays its owner's.

Whom the hub lets to a server may do there whatever its owner may: run code, read files. A student needs no
more of the teacher's than the port of a classroom, by jupyter-server-proxy. So whoever is not the owner is
turned away from such a server everywhere else, before anything there is asked.
"""

import os
import re
import sys

from tornado.web import HTTPError

c = get_config()  # noqa: F821  # Jupyter brings it

if os.environ.get("JUPYTERHUB_SERVER_NAME") == "class":
    try:
        from jupyterhub.singleuser import extension

        Known = extension.JupyterHubIdentityProvider
    except (ImportError, AttributeError) as error:
        # Jupyter would only log it, and go on.
        sys.exit(f"no server that is called class: it can't be kept from others ({error})")

    class OwnersServer(Known):
        """Knows nobody but its owner, except at the ports of programs."""

        async def get_user(self, handler):
            user = await super().get_user(handler)
            base = re.escape(handler.base_url)
            at_a_port = re.match(rf"{base}proxy/\d+/", handler.request.path)
            if user is None or user.username == os.environ["JUPYTERHUB_USER"] or at_a_port:
                return user
            raise HTTPError(403, f"{user.username} may reach a program here, and nothing else")

    # JupyterHub sets the class itself, whatever stands in a configuration.
    extension.JupyterHubIdentityProvider = OwnersServer
