/** The environment variable in which set-up hands the maintenance database's address to the specs. */
export const POSTGRES_URL = 'SOLEIL_TEST_POSTGRES_URL';
