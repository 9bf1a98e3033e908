import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

const gateway = 'http://127.0.0.1:8080';
const forwarded = { target: gateway, changeOrigin: false };

export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['@boardwire/source', ...defaultClientConditions] },
  // The gateway puts a fresh nonce here for each page; see app/style-nonce.ts.
  html: { cspNonce: '__CSP_NONCE__' },
  build: { target: 'es2022', sourcemap: false, assetsInlineLimit: 0, chunkSizeWarningLimit: 900 },
  server: {
    proxy: {
      '/v1': { ...forwarded, ws: true },
      '/api': forwarded,
      '/.well-known': forwarded,
    },
  },
});
