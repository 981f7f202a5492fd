"""A production OpenID Connect provider (django-oauth-toolkit) in a process of its own.

    python tests/integration/oidc_provider.py FOLDER PORT REDIRECT_URI

It listens on the loopback, keeps its data in FOLDER, signs with a key made at the start and knows one person
and four clients that come back to REDIRECT_URI. It is ready when it answers HTTP.
"""

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

USER = {
    "username": "wanglin",
    "first_name": "王琳",
    "email": "lin.wang@example.org",
    "password": "长河落日圆",
}
CLIENT = "gongxue"
# Long enough for a key, and with what Basic authentication has to encode.
SECRET = "s3cret: 50% + 红&旗, and long enough"
# A client without a secret, whose ID tokens say no more than the subject; the rest is userinfo.
TERSE_CLIENT = "gongxue-terse"
# A client whose tokens the provider signs with the client's own secret.
SYMMETRIC_CLIENT = "gongxue-symmetric"
# A client that the provider asks the person about.
ASKING_CLIENT = "gongxue-asking"

FORMS = {
    "registration/login.html": "<form method=post>{% csrf_token %}{{ form }}</form>",
    "oauth2_provider/authorize.html": "<form method=post>{% csrf_token %}{{ form }}</form>",
}


class Server(ThreadingMixIn, WSGIServer):
    """One thread for each request."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """No line for each request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(folder: Path, port: int, redirect_uri: str) -> None:
    """Serve until killed."""
    configure(folder, port)

    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application
    from oauth2_provider.oauth2_validators import OAuth2Validator
    from oauth2_provider.settings import oauth2_settings

    class Validator(OAuth2Validator):  # type: ignore[misc]
        """Profile and email by scope, in the ID token and in userinfo alike but for the terse client."""

        def get_additional_claims(self, request):  # type: ignore[no-untyped-def]
            user = request.user
            return {"preferred_username": user.username, "name": user.first_name, "email": user.email}

        def get_id_token_dictionary(self, token, token_handler, request):  # type: ignore[no-untyped-def]
            claims, expires = super().get_id_token_dictionary(token, token_handler, request)
            if request.client.client_id == TERSE_CLIENT:
                claims = {
                    key: claims[key] for key in claims if key not in self.get_additional_claims(request)
                }
            return claims, expires

    oauth2_settings.OAUTH2_VALIDATOR_CLASS = Validator
    call_command("migrate", verbosity=0)
    User.objects.create_user(**USER)
    for client_id, client_type, algorithm in (
        (CLIENT, Application.CLIENT_CONFIDENTIAL, Application.RS256_ALGORITHM),
        (TERSE_CLIENT, Application.CLIENT_PUBLIC, Application.RS256_ALGORITHM),
        (SYMMETRIC_CLIENT, Application.CLIENT_CONFIDENTIAL, Application.HS256_ALGORITHM),
        (ASKING_CLIENT, Application.CLIENT_CONFIDENTIAL, Application.RS256_ALGORITHM),
    ):
        Application.objects.create(
            client_id=client_id,
            client_secret=SECRET,
            hash_client_secret=algorithm == Application.RS256_ALGORITHM,
            client_type=client_type,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            algorithm=algorithm,
            redirect_uris=redirect_uri,
            skip_authorization=client_id != ASKING_CLIENT,
        )
    serve(port)


def configure(folder: Path, port: int) -> None:
    """Django with what the provider needs and no more."""
    import django
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from django.conf import settings

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.configure(
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.db"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # quick
        LOGIN_URL="/login/",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", FORMS)]},
            }
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "OIDC_RSA_PRIVATE_KEY": key.decode(),
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "who", "profile": "name", "email": "email"},
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        },
    )
    django.setup()


def serve(port: int) -> None:
    """The provider and its sign-in form over HTTP."""
    from django.conf import settings
    from django.contrib.auth.views import LoginView
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path

    settings.ROOT_URLCONF = (
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        path("login/", LoginView.as_view()),
    )
    with make_server("127.0.0.1", port, get_wsgi_application(), Server, Quiet) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
