import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** The REST calls, described and to try, at `/api/docs`; as JSON at `/api/docs-json`. */
export function describeApi(app: INestApplication): void {
  const document = new DocumentBuilder()
    .setTitle('SOLEil')
    .setDescription(
      'The REST calls of the band platform. Changes come over Socket.IO: see PROTOCOL.md. Every failure is `{ error: { code, message, remedy, retryable, details? } }`.',
    )
    .setVersion('0.1.0')
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  SwaggerModule.setup('api/docs', app, () => SwaggerModule.createDocument(app, document));
}
