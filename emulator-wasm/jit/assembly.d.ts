/** AssemblyScript's names for types, in the files that both languages share. */
type i32 = number;
type u32 = number;
type bool = boolean;
