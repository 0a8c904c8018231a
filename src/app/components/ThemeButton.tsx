import { type Theme, useTheme } from '../stores/theme.ts';
import { IconButton } from './Button.tsx';

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const NAMES: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };

export function ThemeButton() {
  const { theme, choose } = useTheme();
  const label = `Colours: ${NAMES[theme]}`;
  return <IconButton icon={theme} label={label} title={label} onClick={() => choose(NEXT[theme])} />;
}
