declare const brand: unique symbol;

/** A value that carries its unit or its role in the type. It costs nothing at run time. */
export type Brand<Value, Name extends string> = Value & { readonly [brand]: Name };
