// Signal K's parser over one file: one pass to warm up, one that is measured. Prints CPU seconds and deltas as JSON.
// usage: node signalk_speed.mjs FOLDER_OF_NODE_MODULES FILE
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [folder, file] = process.argv.slice(2)
const Parser = createRequire(join(folder, 'package.json'))('@signalk/nmea0183-signalk')
const lines = readFileSync(file, 'latin1').split('\n')

function pass () {
  const parser = new Parser()
  let deltas = 0
  for (const line of lines) {
    try {
      if (parser.parse(line.trim())) deltas += 1
    } catch {
      // what it refuses it reports by throwing
    }
  }
  return deltas
}

pass()
const start = process.cpuUsage()
const deltas = pass()
const used = process.cpuUsage(start)
console.log(JSON.stringify({ cpu_s: (used.user + used.system) / 1e6, deltas }))
