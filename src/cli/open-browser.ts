/** Opens a page in the person's browser, where there is one. */
import { spawn } from 'node:child_process';

/** The command that opens an address, by platform. */
export function openerOf(platform: NodeJS.Platform, url: string): { command: string; args: string[] } {
  if (platform === 'darwin') return { command: 'open', args: [url] };
  // Not `start`: it is the shell's, and `&` means something there.
  if (platform === 'win32') return { command: 'rundll32', args: ['url.dll,FileProtocolHandler', url] };
  return { command: 'xdg-open', args: [url] };
}

/** Tries; where there is no browser, nothing happens: the address is printed in any case. */
export function openBrowser(url: string): void {
  const { command, args } = openerOf(process.platform, url);
  try {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    child.on('error', () => undefined);
    child.unref();
  } catch {
    // No such program.
  }
}
