import { labelOfTheme, NEXT_THEME, useTheme } from '../stores/theme.ts';
import { IconButton } from './Button.tsx';

export function ThemeButton() {
  const { theme, choose } = useTheme();
  const label = labelOfTheme(theme);
  return <IconButton icon={theme} label={label} title={label} onClick={() => choose(NEXT_THEME[theme])} />;
}
