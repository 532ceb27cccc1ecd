// node parse.js FILE: prints what AsyncAPI's own parser says of the document, as JSON.
import { argv, stdout } from "node:process";
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), argv[2]).parse();
const messagesOf = (channel) => channel.messages().all().map((message) => message.id());
stdout.write(
  JSON.stringify({
    channels: document
      ? Object.fromEntries(document.channels().all().map((channel) => [channel.id(), messagesOf(channel)]))
      : null,
    diagnostics: diagnostics.map(({ code, severity, path, message }) => ({ code, severity, path, message })),
  }),
);
