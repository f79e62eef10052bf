// A real OpenID provider (npm `oidc-provider`) with its own login and consent forms. Whoever signs in there writes what they
// are: `name~e-mail~verified`. Told by the environment where its packages are and who its client is; it prints its issuer.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { MODULES, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const { Provider } = await import(pathToFileURL(`${MODULES}/oidc-provider/lib/index.js`).href);

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [REDIRECT_URI] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: ["only for tests"] },
    pkce: { required: () => true },
    async findAccount(_, id) {
      const [name, email, verified] = id.split("~");
      return { accountId: id, claims: () => ({ sub: id, name, email, email_verified: verified === "true" }) };
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
// Its parent is gone.
process.stdin.on("end", () => process.exit(0)).resume();
