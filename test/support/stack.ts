import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../media/stack/', import.meta.url);

/** The files of media/stack, as a host would read them. */
export function stackTexts(): { name: string; text: string }[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }));
}
