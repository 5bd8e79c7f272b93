import { recall, remember } from '../session/remembered.js';
import { Observable } from '../session/observable.js';

export type Theme = 'light' | 'dark';

const key = 'soleil.theme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const current = (): Theme => recall<Theme>(key) ?? (prefersDark.matches ? 'dark' : 'light');

/** The device's own, until the user chooses another. */
export const theme = new Observable<Theme>(current());

/** Applies the theme to the page, now and whenever it changes. */
export function startTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset.theme = theme.value;
  };
  apply();
  theme.subscribe(apply);
  prefersDark.addEventListener('change', () => theme.set(current()));
}

/** Remembered, until the device's own setting is the same again. */
export function toggleTheme(): void {
  const next: Theme = theme.value === 'dark' ? 'light' : 'dark';
  remember(key, next === (prefersDark.matches ? 'dark' : 'light') ? null : next);
  theme.set(next);
}
