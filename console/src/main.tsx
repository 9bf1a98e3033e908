import '@mantine/core/styles.layer.css';
import './ui/base.css';
import { createRoot } from 'react-dom/client';
import { StrictMode } from 'react';
import { App } from './app/app.tsx';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
