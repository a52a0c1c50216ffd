/** Names of the elements of an XML text in order; throws where it is not well formed. Knows elements, attributes and text. */
export function elementsOf(xml: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  let at = 0;
  const text = (end: number): void => {
    const between = xml.slice(at, end);
    if (/[<>]|&(?!(amp|lt|gt|quot);)/.test(between)) throw new Error(`bad text at ${at}: ${between}`);
  };
  const tag = /<(\/?)([A-Za-z]+)((?:\s+[\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)\s*(\/?)>/y;
  while (at < xml.length) {
    const next = xml.indexOf('<', at);
    if (next < 0) {
      text(xml.length);
      break;
    }
    text(next);
    tag.lastIndex = next;
    const match = tag.exec(xml);
    if (match === null) throw new Error(`bad tag at ${next}: ${xml.slice(next, next + 60)}`);
    const [whole, close, name, , self] = match;
    if (close === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> at ${next} closes another`);
    } else {
      names.push(name!);
      if (self === '') open.push(name!);
    }
    at = next + whole.length;
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join()}`);
  return names;
}
