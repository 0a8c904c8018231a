import { applyTheme, labelOfTheme, NEXT_THEME, useTheme } from '../app/stores/theme.ts';

/** The choice is that of the application, which keeps it for both. */
export function addThemeButton(button: HTMLButtonElement): void {
  const label = () => {
    button.title = labelOfTheme(useTheme.getState().theme);
    button.setAttribute('aria-label', button.title);
  };
  button.addEventListener('click', () => {
    const { theme, choose } = useTheme.getState();
    choose(NEXT_THEME[theme]);
  });
  useTheme.subscribe(label);
  label();
  applyTheme();
}
