// Write src/route-tree.gen.ts from src/routes, as the build does, for `tsc` and the tests.
import { Generator, getConfig } from '@tanstack/router-generator'

const root = new URL('..', import.meta.url).pathname
await new Generator({ config: getConfig({}, root), root }).run()
