import 'react';

declare module 'react' {
  interface InputHTMLAttributes<T> extends HTMLAttributes<T> {
    /** Lets a file input accept a folder. */
    webkitdirectory?: string;
  }
}
