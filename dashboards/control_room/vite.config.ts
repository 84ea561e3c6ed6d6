/**
 * Build of the control room: hashed assets below /assets, no inline script, no data URI, so that the server's
 * `default-src 'self'` needs no exception. `npm run dev` asks a running PortTrack for data (PORTTRACK_API).
 */
import { defineConfig } from 'vite';

const api = process.env['PORTTRACK_API'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/',
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target: api },
      '/ws': { target: api.replace(/^http/, 'ws'), ws: true },
    },
  },
});
