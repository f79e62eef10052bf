"""An SMTP server for tests, by aiosmtpd.

It listens on a free port of this machine and prints it as {"port": …}, then every message that it takes over as
{"from": …, "to": […], "message": base64}. Each line of its standard input, {"recipient": …, "answers": […]}, says how the
next RCPT commands for that recipient are answered, and is printed again as {"told": recipient}: a reply such as "451 4.3.2
later", or "drop", which ends the connection. A user name and a password as arguments are demanded of clients.
"""

import asyncio
import base64
import json
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def say(line):
    print(json.dumps(line), flush=True)


class Handler:
    def __init__(self):
        self.answers = {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        answers = self.answers.get(address)
        answer = answers.pop(0) if answers else "250 2.1.5 OK"
        if answer == "drop":
            server.transport.abort()
            return "421 4.3.2 gone"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        message = base64.b64encode(envelope.original_content).decode()
        say({"from": envelope.mail_from, "to": envelope.rcpt_tos, "message": message})
        return "250 2.0.0 OK"


async def main(credentials):
    handler = Handler()

    def authenticator(server, session, envelope, mechanism, data):
        given = [data.login.decode(), data.password.decode()]
        return AuthResult(success=given == credentials, handled=False)

    def protocol():
        return SMTP(
            handler,
            hostname="mail.test",
            authenticator=authenticator,
            auth_required=bool(credentials),
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    say({"port": server.sockets[0].getsockname()[1]})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        told = json.loads(line)
        handler.answers[told["recipient"]] = told["answers"]
        say({"told": told["recipient"]})


asyncio.run(main(sys.argv[1:]))
