/** An element as `readXml` finds it; `text` is the character data directly in it. */
export type XmlElement = {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
};

const forbiddenCharacter = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
const token =
  /<(?<close>\/)?(?<name>[A-Za-z][\w.-]*)(?<attributes>(?: [A-Za-z][\w.-]*="[^<"]*")*)(?<empty>\/)?>|(?<text>[^<]+)/uy;
const references: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#10;": "\n",
  "&#9;": "\t",
};

function resolve(text: string): string {
  if (text.includes("]]>")) throw new Error("]]> in character data");
  return text.replace(/&(?:[#\w]+;)?/g, (reference) => {
    const value = references[reference];
    if (value === undefined) throw new Error(`unknown reference ${reference}`);
    return value;
  });
}

/**
 * Reads XML 1.0 strictly, as far as our reports use it: a declaration, elements, attributes, text. For tests.
 * @throws Error for anything that is not well-formed
 */
export function readXml(document: string): XmlElement {
  const forbidden = forbiddenCharacter.exec(document);
  if (forbidden !== null)
    throw new Error(`character U+${document.codePointAt(forbidden.index)!.toString(16)}`);
  if (!document.startsWith(declaration)) throw new Error("no declaration");
  const root: XmlElement = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  token.lastIndex = declaration.length;
  while (token.lastIndex < document.length) {
    const at = token.lastIndex;
    const groups = token.exec(document)?.groups;
    if (groups === undefined) throw new Error(`no token at ${document.slice(at, at + 40)}`);
    const parent = open.at(-1)!;
    if (groups.text !== undefined) {
      parent.text += resolve(groups.text);
    } else if (groups.close) {
      if (groups.name !== parent.name || groups.attributes || groups.empty)
        throw new Error(`</${groups.name}> closes ${parent.name}`);
      open.pop();
    } else {
      const pairs = [...groups.attributes!.matchAll(/ ([\w.-]+)="([^"]*)"/g)];
      const attributes = Object.fromEntries(pairs.map(([, name, value]) => [name, resolve(value!)]));
      if (Object.keys(attributes).length < pairs.length)
        throw new Error(`an attribute of ${groups.name} stands twice`);
      const element = { name: groups.name!, attributes, children: [], text: "" };
      parent.children.push(element);
      if (!groups.empty) open.push(element);
    }
  }
  if (open.length > 1 || root.children.length !== 1 || root.text.trim() !== "")
    throw new Error("not one closed root element");
  return root.children[0]!;
}
