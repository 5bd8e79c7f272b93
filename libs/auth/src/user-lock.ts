import type { EntityManager } from 'typeorm';

/**
 * Puts changes of one user's memberships and sessions one after another, until the transaction ends. What is read of them
 * under the lock is what there is when the change commits. Sign-ins are not held up.
 * @returns false where there is no such user
 */
export async function lockUser(transaction: EntityManager, userId: string): Promise<boolean> {
  const rows = await transaction.query<unknown[]>(`select from auth_user where id = $1 for no key update`, [userId]);
  return rows.length > 0;
}
