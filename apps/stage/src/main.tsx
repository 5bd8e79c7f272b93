import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import './design/index.css';
import { startTheme } from './design/theme.js';
import { Session } from './session/session.js';

startTheme();
history.scrollRestoration = 'manual';
const session = new Session();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
void session.start();
