/** The module's options, checked and complete. */
export const DRIVE_OPTIONS = Symbol('DRIVE_OPTIONS');
