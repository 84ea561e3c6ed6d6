/**
 * What an operator downloads before the live map, against its budget: 160 KB of JavaScript, 45 KB of CSS and fonts,
 * both as they travel (gzip; fonts are compressed already). Exit code 1 over the budget, 2 where nothing is built.
 * Also refuses what the page must not have: inline scripts, and addresses of other hosts in what it loads.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = { js: 160, css: 45 };
const dist = new URL('../dist/', import.meta.url);

function measure() {
  const sizes = { js: 0, css: 0 };
  for (const name of readdirSync(new URL('assets/', dist))) {
    const url = new URL(`assets/${name}`, dist);
    if (name.endsWith('.js')) sizes.js += gzipSync(readFileSync(url), { level: 9 }).length;
    else if (name.endsWith('.css')) sizes.css += gzipSync(readFileSync(url), { level: 9 }).length;
    else sizes.css += statSync(url).size;
  }
  return sizes;
}

function faults(sizes) {
  const found = [];
  for (const [kind, limit] of Object.entries(BUDGET_KB)) {
    const size = sizes[kind] / 1000;
    console.log(
      JSON.stringify({ figure: `control_room_${kind}`, value: size, unit: 'KB gzip', limit, ratio: size / limit }),
    );
    if (size > limit) found.push(`${kind}: ${size} KB is over ${limit} KB`);
  }
  const page = readFileSync(new URL('index.html', dist), 'utf8');
  if (/<script(?![^>]*\bsrc=)[^>]*>/.test(page)) found.push('index.html has an inline script');
  if (/(?:src|href)="(?:https?:)?\/\//.test(page)) found.push('index.html loads from another host');
  return found;
}

let sizes;
try {
  sizes = measure();
} catch (error) {
  console.error(`nothing is built (${error.code}): run npm run build first`);
  process.exit(2);
}
const found = faults(sizes);
for (const fault of found) console.error(fault);
process.exit(found.length === 0 ? 0 : 1);
