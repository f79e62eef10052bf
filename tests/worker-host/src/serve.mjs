// Serves Workers on workerd as `wrangler dev --local` does, by their configurations, without the second workerd that it
// puts in front.
// Arguments: the folder of the JavaScript tools, where databases are kept, a port (0 for any that is free), and the
// Workers' configurations, that of the Worker which requests come to first.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const [tools, persist, port, ...configs] = process.argv.slice(2);
const require = createRequire(join(tools, "tool.js"));
const { Log, LogLevel, Miniflare } = require("miniflare");
const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = require("wrangler");

const workers = configs.map((file) => {
  const config = unstable_readConfig({ config: file });
  const { main, workerOptions } = unstable_getMiniflareWorkerOptions(config);
  const modulesRules = [{ type: "ESModule", include: ["**/*.js"] }, ...workerOptions.modulesRules];
  return { ...workerOptions, name: config.name, modules: true, modulesRules, modulesRoot: dirname(main), scriptPath: main };
});
const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: Number(port),
  cf: false,
  defaultPersistRoot: join(persist, "v3"),
  handleStructuredLogs: ({ message }) => console.log(message),
  log: new Log(LogLevel.WARN),
  logRequests: false,
  workers,
});
console.log(`Ready on ${(await miniflare.ready).origin}`);
