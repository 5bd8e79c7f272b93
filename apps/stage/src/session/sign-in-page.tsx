import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { Mark } from '../design/icons.js';
import { ThemeToggle } from '../design/menu.js';
import { ApiError, demoMembers, type DemoMember } from './api.js';
import { useSession } from './use-session.js';

export function SignInPage({ notice }: { notice: string | null }): ReactNode {
  const session = useSession();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(notice);
  const signIn = async (login: string, password: string): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await session.signIn(login, password);
    } catch (error) {
      setProblem(
        error instanceof ApiError
          ? `${error.error.message} ${error.error.remedy}`.trim()
          : 'Signing in did not work. Try again.',
      );
      setBusy(false);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    void signIn(textOf(given, 'login'), textOf(given, 'password'));
  };
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <div className="sign-in-brand">
          <Mark />
          <h1>SOLEil</h1>
          <p className="quiet">Your part, always up to date.</p>
        </div>
        <form onSubmit={submit} aria-label="Sign in">
          <label>
            Login
            <input name="login" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
          </label>
          <label>
            Password
            <input name="password" type="password" autoComplete="current-password" required />
          </label>
          {problem !== null && (
            <p role="alert" className="problem">
              {problem}
            </p>
          )}
          <button type="submit" className="button button-primary" disabled={isBusy}>
            {isBusy ? 'Signing in …' : 'Sign in'}
          </button>
        </form>
        <DemoMembers isBusy={isBusy} signIn={(member) => void signIn(member.login, member.password)} />
      </div>
      <ThemeToggle />
    </main>
  );
}

function DemoMembers({ isBusy, signIn }: { isBusy: boolean; signIn: (member: DemoMember) => void }): ReactNode {
  const [members, setMembers] = useState<DemoMember[]>([]);
  useEffect(() => void demoMembers().then(setMembers), []);
  if (members.length === 0) return null;
  return (
    <section aria-labelledby="demo" className="demo">
      <h2 id="demo">Or sit in with the demo band</h2>
      <ul>
        {members.map((member) => (
          <li key={member.login}>
            <button type="button" disabled={isBusy} onClick={() => signIn(member)}>
              <span>{member.name}</span> <span className="quiet">{member.instrument}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function textOf(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === 'string' ? value : '';
}
