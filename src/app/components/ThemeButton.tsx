import { type Theme, useTheme } from '../stores/theme.ts';
import { Icon } from './Icon.tsx';

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const NAMES: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };

export function ThemeButton() {
  const { theme, choose } = useTheme();
  const label = `Colours: ${NAMES[theme]}`;
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label={label}
      title={label}
      onClick={() => choose(NEXT[theme])}
    >
      <Icon name={theme} />
    </button>
  );
}
