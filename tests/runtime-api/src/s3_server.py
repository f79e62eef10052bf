"""moto's S3 with one bucket, behind what S3 checks of a request and moto does not.

Signatures are computed again with botocore, whose code is none of ours; how long a presigned URL holds, that headers beginning
with `x-amz-` are signed, lengths and checksums are checked as the Amazon S3 API Reference says ("Authenticating Requests (AWS
Signature Version 4)", "PutObject"). A line of JSON on the input is a command, a line on the output its answer; the first line
names the port.
"""

import base64
import datetime
import hashlib
import json
import os
import sys
import threading
from urllib.parse import parse_qsl, quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

BUCKET, REGION, KEY, SECRET, TOKEN = (os.environ[name] for name in (
    "S3_BUCKET", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
CREDENTIALS = Credentials(KEY, SECRET)
MAX_EXPIRES = 7 * 24 * 60 * 60
# How far the clocks of a signed request may be apart.
MAX_SKEW = datetime.timedelta(minutes=15)

late = datetime.timedelta()


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def denied(message):
    return Refused("403 Forbidden", "AccessDenied", message)


def headers_of(environ):
    headers = {}
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            headers[name[5:].replace("_", "-").lower()] = value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            headers[name.replace("_", "-").lower()] = value
    return headers


def now():
    return datetime.datetime.now(datetime.timezone.utc) + late


def moment(text):
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)


def signature(method, path, query, headers, signed, date, payload):
    """The query is written again as the documents say: each name and value encoded, in order."""
    encoded = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
    request = AWSRequest(method=method, url=f"http://{headers['host']}{path}?{encoded}")
    for name in signed:
        if name not in headers:
            raise Refused("403 Forbidden", "SignatureDoesNotMatch", f"{name} is signed and was not sent")
        request.headers[name] = headers[name]
    request.context["timestamp"] = date
    signer = S3SigV4Auth(CREDENTIALS, "s3", REGION)
    signer.payload = lambda _: payload
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request)


def check_signature(method, path, query, headers):
    fields = dict(query)
    unsigned = {name for name in headers if name.startswith("x-amz-")}
    if "X-Amz-Signature" in fields:
        signed = fields["X-Amz-SignedHeaders"].split(";")
        date, scope, sent = fields["X-Amz-Date"], fields["X-Amz-Credential"], fields["X-Amz-Signature"]
        token, payload = fields.get("X-Amz-Security-Token"), "UNSIGNED-PAYLOAD"
        query = [(name, value) for name, value in query if name != "X-Amz-Signature"]
        expires = int(fields["X-Amz-Expires"])
        if not 1 <= expires <= MAX_EXPIRES:
            raise Refused("400 Bad Request", "AuthorizationQueryParametersError", "X-Amz-Expires")
        if now() > moment(date) + datetime.timedelta(seconds=expires):
            raise denied("Request has expired")
    elif headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
        fields = dict(field.strip().split("=", 1) for field in headers["authorization"][17:].split(","))
        signed = fields["SignedHeaders"].split(";")
        date, scope, sent = headers["x-amz-date"], fields["Credential"], fields["Signature"]
        token, payload = headers.get("x-amz-security-token"), headers["x-amz-content-sha256"]
        # Only who holds a link comes late.
        if abs(now() - late - moment(date)) > MAX_SKEW:
            raise Refused("403 Forbidden", "RequestTimeTooSkewed", date)
    else:
        raise denied("the request is not signed")
    if unsigned - set(signed):
        raise denied("There were headers present in the request which were not signed")
    if "host" not in signed or token != TOKEN or scope != f"{KEY}/{date[:8]}/{REGION}/s3/aws4_request":
        raise denied("these are not the credentials")
    if signature(method, path, query, headers, signed, date, payload) != sent:
        raise Refused("403 Forbidden", "SignatureDoesNotMatch", "The request signature we calculated does not match")
    return payload


def check_body(method, headers, payload, body):
    length = headers.get("content-length")
    if method == "PUT" and length is None:
        raise Refused("411 Length Required", "MissingContentLength", "no Content-Length")
    if len(body) != int(length or 0):
        raise Refused("400 Bad Request", "IncompleteBody", f"{len(body)} of {length} bytes")
    digest = hashlib.sha256(body)
    if len(payload) == 64 and payload != digest.hexdigest():
        raise Refused("400 Bad Request", "XAmzContentSHA256Mismatch", "other bytes than were signed")
    checksum = headers.get("x-amz-checksum-sha256")
    if checksum is not None and checksum != base64.b64encode(digest.digest()).decode():
        raise Refused("400 Bad Request", "BadDigest", "The SHA256 you specified did not match the calculated checksum.")


class Body:
    """The body that was read already."""

    def __init__(self, content):
        self.content = content

    def read(self, size=-1):
        size = len(self.content) if size is None or size < 0 else size
        read, self.content = self.content[:size], self.content[size:]
        return read


def answer(start, refused):
    start(refused.status, [("Content-Type", "application/xml")])
    return [f"<Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>".encode()]


def checked(moto):
    def application(environ, start):
        headers, method = headers_of(environ), environ["REQUEST_METHOD"]
        try:
            body = environ["wsgi.input"].read(int(headers.get("content-length", 0)))
            path, _, raw = environ["REQUEST_URI"].partition("?")
            query = sorted(parse_qsl(raw, keep_blank_values=True))
            payload = check_signature(method, path, query, headers)
            check_body(method, headers, payload, body)
        except (KeyError, ValueError) as wrong:
            refused = Refused("400 Bad Request", "AuthorizationQueryParametersError", repr(wrong))
            return answer(start, refused)
        except Refused as refused:
            return answer(start, refused)
        environ["wsgi.input"] = Body(body)
        return moto(environ, start)

    return application


class Handler(WSGIRequestHandler):
    def log(self, *_):
        pass


def obey(command):
    """What is there after a command: each object's type by its name."""
    global late
    if "put" in command:
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        backend.put_object(BUCKET, command["put"], base64.b64decode(command["bytes"]))
    if "pass_seconds" in command:
        late += datetime.timedelta(seconds=command["pass_seconds"])
    objects = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET].keys
    return {name: key.metadata.get("Content-Type", "") for name, key in objects.items()}


def main():
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(BUCKET, REGION)
    application = checked(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)


main()
