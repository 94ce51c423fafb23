"""Signing in by OIDC: Streamlit's own login, and then the way into a session of ours."""

from html import escape

import streamlit as st

from csn.errors import StemwiseError
from listening_test import accounts
from listening_test.store import shared_store
from pages import libraries


def page() -> None:
    """Draw the page; the provider sends people back to it."""
    st.title("Sign in with your institution")
    if not st.user.get("is_logged_in"):
        st.button("Go to the sign-in of your institution", on_click=st.login, type="primary")
        return
    email = str(st.user.get("email") or "")
    try:
        # Some providers let people claim any address; those say that it was not verified.
        if not email or st.user.get("email_verified") is False:
            raise accounts.AccessError("Your institution does not vouch for an e-mail address.")
        secret = accounts.vouch(shared_store(), email)
    except StemwiseError as error:
        st.warning(str(error))
        st.button("Use another account", on_click=st.logout)
        return
    address = f"{libraries.base()}/enter/{secret}"
    st.html(f'<p><a href="{escape(address)}">Go on as {escape(email)}</a></p>')
