"""PyPI msal on mm's token cache.

Arguments: silent or device, the login URL of the stand-in, the cache file. Prints what it saw as
one JSON object; the Rust test judges it.
"""

import json
import os
import sys
import urllib.request

import msal

WHAT, LOGIN, CACHE = sys.argv[1:4]
TENANT = "c0000001-7e57-4000-8000-00000c047050"
SCOPES = ["https://graph.microsoft.com/.default"]


class Response:
    def __init__(self, status: int, text: str) -> None:
        self.status_code, self.text, self.headers = status, text, {}

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise OSError(self.status_code)


class Plain:
    """msal takes https addresses only: they are sent to the stand-in's plain one."""

    def get(self, url, params=None, headers=None, **_):
        return self.send(url, None, headers)

    def post(self, url, params=None, data=None, headers=None, **_):
        body = urllib.parse.urlencode(data or {}).encode()
        return self.send(url, body, headers)

    def close(self):
        pass

    @staticmethod
    def send(url, body, headers):
        url = url.replace("https://127.0.0.1/", LOGIN + "/", 1)
        request = urllib.request.Request(url, body, headers or {})
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read().decode().replace(LOGIN, "https://127.0.0.1")
                return Response(answer.status, text)
        except urllib.error.HTTPError as error:
            return Response(error.code, error.read().decode())


cache = msal.SerializableTokenCache()
if os.path.exists(CACHE):
    cache.deserialize(open(CACHE).read())
app = msal.PublicClientApplication(
    "c0000001-a990-4000-8000-000000000001",
    authority=f"https://127.0.0.1/{TENANT}",
    instance_discovery=False,
    token_cache=cache,
    http_client=Plain(),
)
if WHAT == "device":
    flow = app.initiate_device_flow(SCOPES)
    result = app.acquire_token_by_device_flow(flow)
else:
    result = app.acquire_token_silent(SCOPES, app.get_accounts()[0])
assert result and "access_token" in result, result
if cache.has_state_changed:
    with open(CACHE, "w") as file:
        file.write(cache.serialize())
print(
    json.dumps(
        {
            "accounts": [account["username"] for account in app.get_accounts()],
            "from_cache": result.get("token_source") == "cache",
        }
    )
)
