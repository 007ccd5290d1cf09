// Imported for the global that it defines (globals.d.ts).
export {};
