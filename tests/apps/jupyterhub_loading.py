"""JupyterHub's users, whose roles, groups and shares are loaded unasked; and clients that codes name by a text."""

from __future__ import annotations

from jupyterhub.orm import OAuthClient, User

from bench import scenario_of

USERS = scenario_of(User, "api_tokens", "shares")
CLIENTS = scenario_of(OAuthClient, "codes", "access_tokens")
