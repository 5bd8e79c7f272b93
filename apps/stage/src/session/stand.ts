import { openStore, SyncClient } from '@soleil/sync-client';
import { FileShelf } from '../library/file-shelf.js';
import { News } from '../library/news.js';
import { allowedChannels, ApiError, whoAmI, type Band, type Me, type User } from './api.js';
import { deviceName } from './device-name.js';
import { Observable } from './observable.js';
import { recall, remember, rememberUser } from './remembered.js';

/** What is known of the user right now. */
export interface StandState {
  user: User;
  bands: readonly Band[];
  /** What is followed. */
  channels: readonly string[];
  /** The server no longer knows this session: what is here stays, nothing new comes. */
  sessionEnded: boolean;
}

const accessIntervalMs = 5 * 60_000;

/**
 * The music stand of one user: their connection, their files and what is new in them. It stands as soon as the device's
 * store is open; the network may come later.
 */
export class Stand {
  readonly state: Observable<StandState>;
  readonly client: SyncClient;
  readonly news: News;
  readonly shelf: FileShelf;
  /** The band on display. */
  readonly bandId: Observable<string | null>;
  readonly #stops: (() => void)[] = [];
  readonly #revoked = new Set<string>();
  #isClosed = false;
  readonly #watched = new Map<string, () => void>();

  private constructor(
    user: User,
    bands: readonly Band[],
    store: Awaited<ReturnType<typeof openStore>>,
    private readonly changedUser: () => void,
  ) {
    this.state = new Observable<StandState>({ user, bands, channels: [], sessionEnded: false });
    this.bandId = new Observable(recall<string>(`soleil.band.${user.userId}`));
    this.client = new SyncClient({
      url: location.origin,
      token: () => this.#token(),
      store,
      deviceName: deviceName(navigator),
    });
    this.news = new News(user.userId, this.client);
    this.shelf = new FileShelf(user.userId);
  }

  /** @param changedUser somebody else has signed in with this browser */
  static async open({ user, bands }: { user: User; bands: readonly Band[] }, changedUser: () => void): Promise<Stand> {
    const stand = new Stand(user, bands, await openStore({ name: user.userId }), changedUser);
    stand.#follow(await stand.client.knownChannels());
    stand.#watch();
    stand.client.connect();
    return stand;
  }

  showBand(bandId: string): void {
    remember(`soleil.band.${this.state.value.user.userId}`, bandId);
    this.bandId.set(bandId);
  }

  /** When this device last had everything, in this visit or an earlier one. */
  lastSyncedAt(): number | null {
    const { state, lastSyncedAt } = this.client.connection;
    return state === 'live' ? Date.now() : (lastSyncedAt ?? recall<number>(this.#syncedKey));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of [...this.#stops, ...this.#watched.values()]) stop();
    this.#noteSynced();
    this.news.close();
    this.shelf.close();
    await this.client.close();
  }

  /** Closes, and leaves nothing of this user on the device. */
  async clear(): Promise<void> {
    this.#isClosed = true;
    const stored = new Set([...(await this.client.knownChannels()), ...this.state.value.channels]);
    await Promise.all([...stored].map((channel) => this.client.forget(channel)));
    await this.close();
    await this.shelf.clear();
    this.news.clear();
    for (const key of [this.#syncedKey, `soleil.band.${this.state.value.user.userId}`]) remember(key, null);
  }

  /** Asked before every attempt to connect, and so also the moment to learn what has changed about the user. */
  async #token(): Promise<string> {
    const me = await this.#learnAccess();
    if (me === null) throw new Error('This page is no longer the stand of that user.');
    return me.token;
  }

  /** Who the user is and what they may follow, by now. Null where this stand is over. @throws ApiError */
  async #learnAccess(): Promise<Me | null> {
    const me = await this.#askWhoIAm();
    if (this.#isClosed) return null;
    if (me.user.userId !== this.state.value.user.userId) {
      this.changedUser();
      return null;
    }
    rememberUser({ user: me.user, bands: me.bands });
    this.#update({ user: me.user, bands: me.bands, sessionEnded: false });
    const channels = await allowedChannels();
    if (this.#isClosed) return null;
    this.#follow(channels, { others: 'forget' });
    return me;
  }

  async #askWhoIAm(): Promise<Me> {
    try {
      return await whoAmI();
    } catch (error) {
      if (error instanceof ApiError && error.isSignedOut) this.#endSession();
      throw error;
    }
  }

  #endSession(): void {
    this.#update({ sessionEnded: true });
    this.client.disconnect();
  }

  /** A right that was given is not announced by the log; one that was taken is. Both are asked for here. */
  async #refreshAccess(): Promise<void> {
    if (this.state.value.sessionEnded) return;
    try {
      await this.#learnAccess();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // It is asked again: with the next connection, at the latest.
    }
  }

  #follow(channels: readonly string[], { others }: { others: 'keep' | 'forget' } = { others: 'keep' }): void {
    const before = this.state.value.channels;
    const dropped = others === 'forget' ? before.filter((channel) => !channels.includes(channel)) : [];
    for (const channel of dropped) {
      this.#watched.get(channel)?.();
      this.#watched.delete(channel);
      void this.client.forget(channel);
    }
    for (const channel of channels) {
      if (!this.#watched.has(channel))
        this.#watched.set(
          channel,
          this.client.subscribe(channel, () => this.#channelChanged(channel)),
        );
      this.client.follow(channel);
    }
    const now = [
      ...before.filter((channel) => !dropped.includes(channel)),
      ...channels.filter((channel) => !before.includes(channel)),
    ];
    if (now.length !== before.length || dropped.length > 0) this.#update({ channels: now });
    this.news.watch(now);
  }

  #channelChanged(channel: string): void {
    const isRevoked = this.client.channel(channel).state === 'revoked';
    const isNews = isRevoked && !this.#revoked.has(channel);
    if (isRevoked) this.#revoked.add(channel);
    else this.#revoked.delete(channel);
    if (isNews) void this.#refreshAccess();
  }

  #watch(): void {
    const looked = (): void => {
      if (document.visibilityState === 'visible' && this.client.connection.state === 'live') void this.#refreshAccess();
      if (document.visibilityState === 'hidden') this.#noteSynced();
    };
    const timer = setInterval(looked, accessIntervalMs);
    const left = (): void => this.#noteSynced();
    document.addEventListener('visibilitychange', looked);
    addEventListener('pagehide', left);
    let before = this.client.connection.state;
    const stopConnection = this.client.subscribeConnection(() => {
      const { state } = this.client.connection;
      if (state !== before && (before === 'live' || state === 'live')) this.#noteSynced();
      before = state;
    });
    this.#stops.push(
      () => clearInterval(timer),
      () => document.removeEventListener('visibilitychange', looked),
      () => removeEventListener('pagehide', left),
      stopConnection,
    );
  }

  #noteSynced(): void {
    const at = this.lastSyncedAt();
    if (at !== null) remember(this.#syncedKey, at);
  }

  #update(change: Partial<StandState>): void {
    this.state.set({ ...this.state.value, ...change });
  }

  get #syncedKey(): string {
    return `soleil.synced.${this.state.value.user.userId}`;
  }
}
