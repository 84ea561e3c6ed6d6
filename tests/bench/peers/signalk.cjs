// Signal K's parser on the lines of standard input; one JSON line a vessel delta with a name or a destination.
const { createRequire } = require("node:module");
const Parser = createRequire(`${process.argv[2]}/`)("@signalk/nmea0183-signalk");
const parser = new Parser();
for (const line of require("node:fs").readFileSync(0, "utf8").split("\n")) {
  let delta = null;
  try {
    delta = line && parser.parse(line.trim());
  } catch {
    continue; // what it refuses is not decoded, and so counts as missing
  }
  const values = delta && delta.updates && delta.updates[0] ? delta.updates[0].values : [];
  const ship = {};
  for (const { path, value } of values) {
    if (path === "") Object.assign(ship, value);
    if (path === "navigation.destination.commonName") ship.destination = value;
  }
  if (ship.name || ship.destination) console.log(JSON.stringify(ship));
}
