import { ApiError, signIn, signOut, whoAmI, type Me } from './api.js';
import { Observable } from './observable.js';
import { rememberedUser, rememberUser } from './remembered.js';
import { Stand } from './stand.js';

export type SessionState =
  | { name: 'starting' }
  /** `notice`: what the user should know before they sign in. */
  | { name: 'signed_out'; notice: string | null }
  | { name: 'signed_in'; stand: Stand };

/**
 * Who uses this page. A browser that knows its user shows what it has at once and asks the server afterwards; so a page
 * that is opened in a cellar without network is as good as the last one was.
 */
export class Session {
  readonly state = new Observable<SessionState>({ name: 'starting' });

  async start(): Promise<void> {
    const remembered = rememberedUser();
    if (remembered !== null) return this.#open(remembered);
    try {
      await this.#open(await whoAmI());
    } catch (error) {
      const isUnreachable = error instanceof ApiError && !error.isSignedOut;
      this.state.set({ name: 'signed_out', notice: isUnreachable ? error.error.message : null });
    }
  }

  /** @throws ApiError `credentials_wrong`, `too_many_attempts` */
  async signIn(login: string, password: string): Promise<void> {
    await signIn(login, password);
    await this.#open(await whoAmI());
  }

  /** Ends the session here and at the server, and leaves nothing on this device. @throws ApiError when it could not be ended */
  async signOut(): Promise<void> {
    const { value } = this.state;
    if (value.name !== 'signed_in') return;
    await signOut().catch((error: unknown) => {
      if (!(error instanceof ApiError && error.isSignedOut)) throw error;
    });
    rememberUser(null);
    this.state.set({ name: 'signed_out', notice: null });
    await value.stand.clear();
  }

  /** The session was ended elsewhere: to the sign-in page. What the device has stays for when the user is back. */
  async signInAgain(): Promise<void> {
    const { value } = this.state;
    if (value.name === 'signed_in') await value.stand.close();
    this.state.set({ name: 'signed_out', notice: 'Your session has ended. Sign in to receive changes again.' });
  }

  async #open({ user, bands }: Pick<Me, 'user' | 'bands'>): Promise<void> {
    rememberUser({ user, bands });
    const stand = await Stand.open({ user, bands }, () => void this.#changeUser());
    this.state.set({ name: 'signed_in', stand });
  }

  /** Another tab of this browser has signed in as somebody else: this one follows. */
  async #changeUser(): Promise<void> {
    const { value } = this.state;
    if (value.name !== 'signed_in') return;
    this.state.set({ name: 'starting' });
    await value.stand.close();
    rememberUser(null);
    await this.start();
  }
}
