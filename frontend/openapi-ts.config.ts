import { defineConfig } from '@hey-api/openapi-ts'

// `make types` writes the document of the application beside this file first.
export default defineConfig({
  input: 'openapi.json',
  output: { path: 'src/api', clean: true },
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true, baseUrl: false },
    '@hey-api/typescript',
    '@hey-api/sdk',
    { name: '@tanstack/react-query', queryOptions: true, infiniteQueryOptions: true, mutationOptions: true },
  ],
})
