// A IIIF image server around “iiif-processor”: pictures of one folder, for this machine alone, unguarded.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { resolve, sep } from "node:path";
import { Processor } from "iiif-processor";

const folder = resolve(process.argv[2]);

// The package hands an identifier over as it stands in the path, decoded once.
const file = (id) => {
  const path = resolve(folder, id);
  return path.startsWith(folder + sep) && existsSync(path) ? path : null;
};

async function answer(request, response) {
  const url = `http://${request.headers.host}${request.url}`;
  const source = async ({ id }) => {
    const path = file(id);
    if (!path) throw Object.assign(new Error("no such picture"), { statusCode: 404 });
    return createReadStream(path);
  };
  try {
    const found = await new Processor(url, source).execute();
    if (found.type === "redirect") {
      response.writeHead(303, { Location: found.location }).end();
    } else if (found.type === "content") {
      response.writeHead(200, { "Content-Type": found.contentType, Link: `<${url}>;rel="canonical"` }).end(found.body);
    } else {
      response.writeHead(found.statusCode ?? 500).end(found.message);
    }
  } catch (problem) {
    response.writeHead(problem.statusCode ?? 500).end(String(problem.message));
  }
}

const server = createServer(answer).listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
