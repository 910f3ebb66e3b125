// Octets of EXI (W3C Efficient XML Interchange 1.0) for XML documents, by EXIficient: bit-packed and schema-informed,
// strict where the schema allows the document. Refuses to write EXI anywhere: only sizes are of interest.
//
// java Exi SCHEMA DOCUMENTS: in DOCUMENTS each document follows a line with its length in octets. Prints a line for each:
// octets bit-packed, octets with EXI's own DEFLATE, 1 if strict.

import com.siemens.ct.exi.core.CodingMode;
import com.siemens.ct.exi.core.EXIFactory;
import com.siemens.ct.exi.core.FidelityOptions;
import com.siemens.ct.exi.core.grammars.Grammars;
import com.siemens.ct.exi.core.helpers.DefaultEXIFactory;
import com.siemens.ct.exi.grammars.GrammarFactory;
import com.siemens.ct.exi.main.api.sax.EXIResult;
import com.siemens.ct.exi.main.api.sax.EXISource;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import javax.xml.parsers.SAXParserFactory;
import org.xml.sax.InputSource;
import org.xml.sax.XMLReader;
import org.xml.sax.helpers.DefaultHandler;

public class Exi {
    private final Grammars grammars;
    private final XMLReader reader;

    private Exi(String schema) throws Exception {
        grammars = GrammarFactory.newInstance().createGrammars(schema);
        SAXParserFactory parsers = SAXParserFactory.newInstance();
        parsers.setNamespaceAware(true);
        reader = parsers.newSAXParser().getXMLReader();
    }

    private EXIFactory factory(boolean strict, CodingMode mode) throws Exception {
        EXIFactory factory = DefaultEXIFactory.newInstance();
        factory.setGrammars(grammars);
        factory.setFidelityOptions(
                strict ? FidelityOptions.createStrict() : FidelityOptions.createDefault());
        factory.setCodingMode(mode);
        return factory;
    }

    /** Octets, less the one of the header, which both ends could agree on beforehand; -1 if it cannot be written. */
    private int size(byte[] xml, boolean strict, CodingMode mode) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            EXIResult result = new EXIResult(factory(strict, mode));
            result.setOutputStream(out);
            reader.setContentHandler(result.getHandler());
            reader.parse(new InputSource(new ByteArrayInputStream(xml)));
            XMLReader back = new EXISource(factory(strict, mode)).getXMLReader();
            back.setContentHandler(new DefaultHandler());
            back.parse(new InputSource(new ByteArrayInputStream(out.toByteArray())));
            return out.size() - 1;
        } catch (Exception | Error refused) {
            return -1;
        }
    }

    private String line(byte[] xml) {
        boolean strict = true;
        int packed = size(xml, strict, CodingMode.BIT_PACKED);
        if (packed < 0) {
            strict = false;
            packed = size(xml, strict, CodingMode.BIT_PACKED);
        }
        int deflated = size(xml, strict, CodingMode.COMPRESSION);
        return packed + " " + deflated + " " + (strict ? 1 : 0);
    }

    public static void main(String[] arguments) throws Exception {
        Exi exi = new Exi(arguments[0]);
        byte[] all = Files.readAllBytes(Paths.get(arguments[1]));
        StringBuilder sizes = new StringBuilder();
        for (int at = 0; at < all.length; ) {
            int end = at;
            while (all[end] != '\n') {
                end++;
            }
            int length = Integer.parseInt(new String(all, at, end - at, StandardCharsets.US_ASCII));
            byte[] xml = java.util.Arrays.copyOfRange(all, end + 1, end + 1 + length);
            sizes.append(exi.line(xml)).append('\n');
            at = end + 1 + length;
        }
        System.out.print(sizes);
    }
}
